"""Django's database backends, with a bound on how long a request waits for the database.

postgresql  connections that do not wait for ever for a server that does not respond
sqlite      a file that other processes lock, or replace by another
schema      what the log says of a database that is not migrated
"""
