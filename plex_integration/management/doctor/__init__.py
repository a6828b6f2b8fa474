"""`manage.py doctor`: what is wrong, in plain words. It shares the lines of the admin's first page.

examination  runs the checks one after another, each within a few seconds
settings     secrets, hosts, HTTPS, workers, static files, the file of the settings
database     the database, its migrations, its file or its limit of connections
services     Redis, the listener, the workers, Plex, plex.tv and the clocks
"""
