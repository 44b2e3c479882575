"""Alembic's entry point: runs the migrations on the connection handed to it by `migrations.run`."""

from alembic import context

from domain.tables import metadata_complete

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata_complete(), transaction_per_migration=False)
with context.begin_transaction():
    context.run_migrations()
