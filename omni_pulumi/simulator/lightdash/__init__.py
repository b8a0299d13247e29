"""The Lightdash simulator: the dbt sources of projects, as in https://docs.lightdash.com/api-reference."""
