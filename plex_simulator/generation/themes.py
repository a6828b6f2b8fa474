"""What movies and shows are about: genres that go together, plots and taglines."""

from dataclasses import dataclass

from plex_simulator.generation.metadata import GENRES
from plex_simulator.models import Tag


@dataclass(frozen=True, slots=True)
class Theme:
    """The genres and texts of related movies.

    Plots and endings can contain {hero}, {place}, {friend} and {thing}.
    """

    genres: tuple[tuple[Tag, ...], ...]
    plots: tuple[str, ...]
    endings: tuple[str, ...]
    taglines: tuple[str, ...]
    for_children: bool = False


def _theme(
    genres: str, plots: str, endings: str, taglines: str, *, for_children: bool = False
) -> Theme:
    """Make a theme from texts that are separated by |; the genres of one movie by commas."""
    by_name = {genre.tag: genre for genre in GENRES}
    return Theme(
        tuple(tuple(by_name[name] for name in names.split(", ")) for names in genres.split("|")),
        tuple(plots.split("|")),
        tuple(endings.split("|")),
        tuple(taglines.split("|")),
        for_children,
    )


THEMES = (
    _theme(
        "Adventure, Action|Adventure, Drama|Action, Adventure, Thriller, Mystery",
        "A {hero} follows a half-burnt map from {place} into the mountains.|"
        "When a cargo plane disappears near {place}, a {hero} is the only one who saw it fall.|"
        "A {hero} and a thief race each other for the {thing} that was lost off {place}.",
        "The way back is longer than the way there.|"
        "{friend} knows the route, and has a reason to keep it secret.|"
        "The winter is three days away.",
        "Some maps should stay folded.|The shortest way is through.|Nobody goes back empty-handed.",
    ),
    _theme(
        "Comedy|Comedy, Romance|Comedy, Drama|Comedy, Family, Music|Comedy, Short",
        "A {hero} inherits a failing hotel in {place}, together with its only guest.|"
        "To save a wedding in {place}, a {hero} pretends to be the mayor for a weekend.|"
        "A {hero} agrees to judge the strangest contest ever held in {place}.",
        "Then {friend} arrives a day early.|"
        "The {thing} was never part of the plan.|"
        "By Sunday the whole town is in on it.",
        "What could go wrong did.|Every family needs one.|Check-in is at three. Chaos is at four.",
    ),
    _theme(
        "Crime, Drama|Crime, Thriller, Mystery|Crime, Drama, Thriller, Mystery, History",
        "A {hero} finds an unsigned letter that names the next victim in {place}.|"
        "Ten years after the robbery of {place}, somebody spends the first note.|"
        "A {hero} becomes the only witness against the family that owns {place}.",
        "{friend} has an alibi, and it is too good.|"
        "The key to the case is a {thing} that nobody reported stolen.|"
        "The detective has until the ferry leaves.",
        "Everyone paid. Someone collected.|The truth keeps its receipts.|Nobody leaves clean.",
    ),
    _theme(
        "Drama|Drama, Romance|Drama, Family|Drama, History, Biography",
        "A {hero} comes home to {place} for a funeral and stays for the harvest.|"
        "Two sisters in {place} have not spoken since one of them sold the {thing}.|"
        "A {hero} teaches {friend} to read, one letter from the front at a time.",
        "What they do not say fills the house.|"
        "{friend} has one summer to decide.|"
        "It takes a stranger to ask the right question.",
        "Home is where you left it.|Some doors open twice.|The smallest words weigh the most.",
    ),
    _theme(
        "Science Fiction, Adventure|Science Fiction, Drama, Mystery|"
        "Science Fiction, Thriller, Action",
        "A {hero} on the last supply ship to {place} station wakes up three years early.|"
        "Every night at the same minute, all clocks in {place} skip a beat.|"
        "A {hero} hides a runaway robot from the good people of {place}.",
        "The signal came from inside the {thing}.|"
        "{friend} remembers a different yesterday.|"
        "There is air for two, and three are on board.",
        "Tomorrow was yesterday.|The stars are listening.|Some signals should stay unanswered.",
    ),
    _theme(
        "Horror|Horror, Mystery, Thriller",
        "A {hero} takes the night shift at the closed sanatorium of {place}.|"
        "The new owners of a house in {place} find a {thing} that is still warm.|"
        "Everybody in {place} has the same dream, and {friend} is in it.",
        "The lights go out one by one.|"
        "Nobody remembers who locked the cellar.|"
        "It only moves when nobody counts.",
        "Do not answer it.|It learned your name.|The house was never empty.",
    ),
    _theme(
        "Animation, Family, Comedy|Animation, Adventure, Fantasy, Family",
        "A small {hero} with a big umbrella sails to {place} to return a borrowed {thing}.|"
        "The street lamps of {place} go on strike, and only {friend} can talk to them.|"
        "A shy dragon becomes the {hero} of {place}.",
        "A choir of frogs helps where it can.|"
        "It is harder to be brave before breakfast.|"
        "All it takes is a very good friend.",
        "Big hearts, tiny boots.|Friends come in every size.|Look up!",
        for_children=True,
    ),
    _theme(
        "Documentary|Documentary, History|Documentary, Music|Documentary, Sport, Biography|"
        "Documentary, Short",
        "For five years, cameras followed a {hero} in {place}.|"
        "The story of the {thing} that made {place} famous, told by those who built it.|"
        "The archive of {place} was thought lost, until {friend} opened a drawer.",
        "A quiet portrait of patience.|"
        "With recordings that were never shown before.|"
        "What begins with a question ends with a river.",
        "It happened here.|Listen to those who were there.|One town, one year.",
    ),
    _theme(
        "Western, Drama|Western, Action, Adventure",
        "A {hero} rides into {place} with a debt, and out with a town behind her.|"
        "The railway wants the only well of {place}, and {friend} will not sell.|"
        "Two brothers guard a {thing} on the long road to {place}.",
        "The sheriff looks the other way.|"
        "The last mile belongs to the patient.|"
        "Rain is coming, and so are they.",
        "The valley remembers.|One well. Two guns.|Ride slow, leave fast.",
    ),
    _theme(
        "War, Drama|War, Drama, History",
        "A {hero} carries letters across a front that runs through {place}.|"
        "In the last week of the war, one bridge stays open near {place}.|"
        "The radio operator of {place} has to send a {thing} to the wrong side.",
        "{friend} waits at the other end.|"
        "Not every order can be obeyed.|"
        "Peace is signed an hour too late.",
        "One bridge. One night.|They kept the lamp burning.|After the silence, names.",
    ),
    _theme(
        "Musical, Romance, Comedy|Musical, Family, Fantasy|Music, Drama, Biography",
        "A {hero} has one week to save the old theatre of {place}.|"
        "The orchestra of {place} loses its conductor and finds {friend}.|"
        "A {hero} writes one song too many about {place}.",
        "The overture is missing, and so is the {thing}.|"
        "Everybody sings, even the landlord.|"
        "Opening night will not wait.",
        "Sing it like you mean it.|Every town has a tune.|From the top!",
    ),
    _theme(
        "Sport, Drama|Sport, Comedy, Family",
        "A {hero} coaches the worst rowing team that {place} ever had.|"
        "A runner from {place} has one marathon left, and {friend} to beat.|"
        "The cup of {place} disappears on the eve of the final.",
        "Nobody trains harder for last place.|"
        "The {thing} on the wall has seen it all.|"
        "It was never about the medal.",
        "Last is a place to start.|One more lap.|The river does not care who wins.",
    ),
)
