"""The local Lightdash: the dbt sources of its projects, as https://docs.lightdash.com/api-reference describes them."""
