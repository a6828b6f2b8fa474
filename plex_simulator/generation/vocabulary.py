"""The words from which titles, names and summaries are generated."""


def _split(text: str, separator: str = " ") -> tuple[str, ...]:
    return tuple(text.split(separator))


ADJECTIVES = _split(
    "Amber Ancient Arctic Autumn Bitter Blue Borrowed Brave Bright Broken Bronze Careless Clever "
    "Cold Copper Crimson Crooked Curious Dancing Distant Drifting Early Eastern Electric Empty "
    "Endless Faithful Fallen Fearless Final First Flying Forgotten Frozen Gentle Gilded Golden "
    "Grand Green Hidden Hollow Honest Hungry Iron Ivory Last Laughing Little Lonely Long Lost "
    "Lucky Lunar Midnight Modern Northern Paper Patient Pale Perfect Quiet Rapid Restless Rising "
    "Royal Rusty Sacred Salty Scarlet Second Secret Seventh Silent Silver Sleeping Slow Southern "
    "Stolen Strange Stubborn Summer Sunken Sweet Tender Third Tiny Twisted Unlikely Velvet "
    "Wandering Weary Western Whispering White Wicker Wild Windy Winter Wooden Yellow Young"
)

NOUNS = _split(
    "Accordion Almanac Anchor Archive Atlas Aviary Bakery Balloon Barometer Beacon Bicycle Bridge "
    "Cabin Canal Candle Caravan Carousel Cartographer Castle Cathedral Cipher Clockmaker Comet "
    "Compass Concert Cottage Courier Crossing Dawn Detective Diary Doorway Dragonfly Dream Echo "
    "Empire Engine Equation Expedition Falcon Fable Ferry Festival Fisherman Forest Fortune Fox "
    "Garden Gardener Gate Ghost Glacier Gramophone Harbour Harvest Helmet Heron Highway Horizon "
    "Hotel Hour House Island Journey Juggler Keeper Kingdom Kitchen Kite Ladder Lagoon Lantern "
    "Letter Library Lighthouse Locket Magician Map Marathon Market Meadow Mirror Mountain Museum "
    "Nocturne Notebook Oak Observatory Ocean Orchard Orchestra Otter Owl Painter Parade Passage "
    "Pendulum Pilot Planet Portrait Postcard Promise Puzzle Quarry Railway Raven Recipe Reef "
    "Regatta Riddle River Road Robot Saddle Sailor Satellite Season Secret Shadow Ship Signal "
    "Sister Sky Snowfall Song Sparrow Staircase Station Storm Street Submarine Summit Swan Tailor "
    "Telescope Theatre Thunder Tide Tower Train Treasure Tunnel Umbrella Valley Verdict Village "
    "Violin Volcano Voyage Waltz Watchman Waterfall Wave Weather Well Whale Window Winter Wolf"
)

PLACES = _split(
    "Aldermere Bellacosta Brackwater Calder Carrowmore Castellan Cinderford Copperhill Corvane "
    "Dunmarrow Eastmoor Elderbrook Farrowdale Fenwick Galloway Glasswater Graymouth Halloway "
    "Harrowgate Havenport Inverlune Ironbridge Juniper Kestrel Kirkvale Lakehurst Lindenau "
    "Marlowe Merrivale Montclair Northwind Oakhaven Ostrava Pellworth Pinecrest Quillon Ravenna "
    "Redcliff Rosewood Saltmarsh Seabright Silverlake Solvang Stonebridge Tallinn Thornbury "
    "Umberto Valmont Verano Wexcombe Willowby Windermere Yarrow Zephyr"
)

FIRST_NAMES = _split(
    "Ada Agnes Alba Amara Anouk Arlo Asta Basil Beatrix Bruno Calla Caspian Celeste Cyrus Dahlia "
    "Dario Delphine Edda Eamon Elias Esme Fabian Farah Felix Flora Gideon Greta Hana Hugo Ida Ines "
    "Ivo Jasper Juno Kaito Kerstin Lars Leila Linnea Lucian Mabel Magnus Maren Mateo Mira Nadia "
    "Niko Noor Odile Orin Otto Paloma Percy Petra Quentin Rafael Renata Rosa Rufus Sabine Selma "
    "Silas Soren Stella Tamsin Theo Tova Ulrich Una Vera Viktor Wanda Wilhelm Xenia Yara Yusuf Zora"
)

LAST_NAMES = _split(
    "Abernathy Adeyemi Almeida Andersson Ashdown Baptiste Beaumont Bergstrom Blackwood Calloway "
    "Castellanos Chandrasekhar Dalgaard Delacroix Dimitriou Eklund Espinoza Fairweather Falk "
    "Fitzroy Fontaine Ganesh Greenwood Haddad Halvorsen Hartwell Holloway Ibarra Ishikawa Jansen "
    "Kaminski Kapoor Kowalczyk Larkspur Lindqvist Lockhart Maddox Marchetti Mbeki Merriweather "
    "Moreau Nakamura Nightingale Novak Oakley Okafor Oyelaran Pemberton Petrov Quintero Rasmussen "
    "Rosenthal Saavedra Sinclair Solberg Sorensen Takahashi Thistlewood Underhill Vandermeer "
    "Varga Villanueva Wainwright Whitlock Winterbourne Yamamoto Zabala Zimmerman"
)

OCCUPATIONS = _split(
    "baker|clockmaker|retired pilot|young surgeon|travelling musician|lighthouse keeper|"
    "stubborn farmer|part-time astronomer|night watchman|ferry captain|village teacher|"
    "cartographer|gardener|chess master|stunt driver|translator",
    "|",
)

THINGS = _split(
    "bicycle|brass bell|candle|compass|diary|folding chair|gramophone|lantern|letter|locket|"
    "music box|notebook|photograph|piano|pocket watch|portrait|postcard|suitcase|telescope|violin",
    "|",
)

TITLE_PATTERNS = (
    # Repeated patterns are chosen more often.
    *("{adjective} {noun}",) * 4,
    *("The {adjective} {noun}",) * 2,
    "The {noun} of {place}",
    "{a_noun} for {name}",
    "{name}'s {noun}",
    "{name} and the {noun}",
    "Return to {place}",
    "Midnight in {place}",
    "The Road to {place}",
)

EVENTS = _split("Birthday|First Snow|Garden Party|Regatta|School Play|Sports Day|Wedding", "|")
SEASONS = ("Spring", "Summer", "Autumn", "Winter", "A Weekend", "Holidays")

COLLECTION_SENTENCES = (
    "Chosen for a long evening in {place}.",
    "What {friend} would take to an island.",
    "For those who like a {thing} in every second scene.",
)
ARTIST_SENTENCES = (
    "They met in a rehearsal room in {place}.",
    "The first songs were recorded in a kitchen in {place}.",
    "It all began with a borrowed {thing} and a Sunday concert in {place}.",
)
ALBUM_SENTENCES = (
    "Recorded in {place} in nine nights.",
    "Songs for {friend}, written on the train to {place}.",
    "A quiet record about a {thing} and those who left it behind.",
)

STUDIOS = _split(
    "Copper Kettle Pictures|Northlight Films|Paper Moth Studio|Tidewater Productions|Red Umbrella|"
    "Halfmoon Entertainment|Glasshouse Pictures|Little Harbour Film & Fjernsyn|Studio Zwölf|"
    "Grand Canal Pictures|Quiet Engine|Bellwether Films",
    "|",
)

NETWORKS = ("Channel North", "Harbour TV", "Kanal Fünf", "Lumen+", "Orbit", "The Story Network")

GENRES = _split(
    "Action|Adventure|Animation|Biography|Comedy|Crime|Documentary|Drama|Family|Fantasy|History|"
    "Horror|Music|Musical|Mystery|Romance|Science Fiction|Short|Sport|Thriller|War|Western",
    "|",
)

MUSIC_GENRES = _split(
    "Ambient|Blues|Chamber Pop|Classical|Country|Dub|Electronic|Folk|Hip-Hop|Jazz|Pop/Rock|R&B|"
    "Reggae|Soul",
    "|",
)

COUNTRIES = _split(
    "Argentina|Brazil|Canada|Denmark|France|Germany|Ghana|India|Italy|Japan|Mexico|Nigeria|Norway|"
    "South Korea|Spain|United Kingdom|United States of America",
    "|",
)

CHILDREN_RATINGS = ("G", "PG", "gb/U")
CONTENT_RATINGS = ("PG", "PG-13", "R", "NR", "nl/16", "gb/PG", "de/12", "PG-13", "R")
CHILDREN_TV_RATINGS = ("TV-Y", "TV-G")
TV_RATINGS = ("TV-PG", "TV-14", "TV-MA", "gb/15", "TV-14")

# Titles that careless clients handle wrongly: markup, quotes, other scripts, bidirectional text,
# combining marks, line breaks, leading spaces, digits only, and two movies with the same title.
EDGE_CASE_TITLES = (
    "Salt & Pepper",
    "<b>Bold</b> Choices",
    "\"Quoted\" and 'Single'",
    "Ångström & Żółw",
    "東京の静かな雨",
    "שלום לים",
    "قصة المدينة القديمة",
    "Rocket 🚀 Bakery 🥐",
    "1987",
    "The The",
    "e\u0301tude in five parts",
    "Half‑Light: Part 1/2 – “Before”",
    "Twice Told",
    "Twice Told",
    "A",
    "100% \\ Backslash; DROP",
    "\u202eReversed\u202c Ending",
    "  Leading Spaces",
    "Tab\there and newline\nthere",
    "ß, ſ and İstanbul",
    "Ω: " + "A Very Long Name for a Rather Short Film " * 6,
    "?query=1&size=2#fragment",
    "Ping\u00a0Pong\u200b Zero",
    "👩‍👩‍👧‍👦 Family Album",
)

EDGE_CASE_SUMMARIES = (
    "",
    'Line one.\r\nLine two, with a tab:\tand <i>markup</i> & an ampersand; "quotes" too.\n',
    "Zusammenfassung mit Umlauten: ÄÖÜ, Emoji 🎬 und الكتابة من اليمين.",
    "A long and winding account of one very ordinary day. " * 120,
)
