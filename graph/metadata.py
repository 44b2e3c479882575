"""The one collection of tables; every `tables.py` adds its own to it."""

from sqlalchemy import MetaData

metadata = MetaData()
