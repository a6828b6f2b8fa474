"""Generate the metadata of items from a seed.

metadata     titles, people, dates, ratings, files and chapters
themes       what movies and shows are about: genres, plots and taglines
vocabulary   the words from which titles, names and other texts are made
"""
