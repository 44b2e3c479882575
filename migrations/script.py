"""Run a file of SQL inside a migration."""

from importlib.resources import files

from alembic import op


def execute_file(name: str) -> None:
    """Run `migrations/NAME` on the migration's connection.

    It goes to the driver unchanged, several statements at once: neither a colon nor a percent sign in it
    is a parameter.
    """
    statements = files("migrations").joinpath(name).read_bytes()
    connection = op.get_bind().connection.driver_connection
    if connection is None:
        msg = "The migration's connection is closed."
        raise RuntimeError(msg)
    connection.execute(statements)
