"""Run by Alembic: upgrades the connection that `infra.database.migrate` hands over, inside its transaction."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table="trinormal_version",  # MLflow uses Alembic's default name and may share the database
)
with context.begin_transaction():
    context.run_migrations()
