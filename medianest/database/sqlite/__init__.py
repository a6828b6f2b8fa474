"""Django's backend for SQLite, for a file that other processes lock or replace.

base       the backend, as Django names it (`ENGINE`)
file       which file has the database's name now
lock_wait  how long statements wait for a lock
"""
