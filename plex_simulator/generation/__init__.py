"""Generate the metadata of items from a seed.

metadata     titles, people, dates, ratings, files and chapters
vocabulary   the words from which titles, names and summaries are made
"""
