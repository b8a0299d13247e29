"""Omni's API: the client with one method for each endpoint, the models, and the dbt environments of a connection."""
