"""The objects of both services, for the tests that run with every resource."""

from __future__ import annotations

from omni_pulumi.simulator import CONNECTION_ID, PROJECT_ID, STAGING_CONNECTION_ID, LightdashSimulator, OmniSimulator


def objects(omni: OmniSimulator, lightdash: LightdashSimulator) -> list[object]:
    """Return all objects of both services, except the default environment that Omni adds to a dbt configuration."""
    configuration = omni.dbt_configuration(CONNECTION_ID)
    attribute = omni.environment_user_attribute(STAGING_CONNECTION_ID)
    return [
        *([] if configuration is None else [configuration]),
        *(each for each in omni.environments(CONNECTION_ID) if not each["is_default_environment"]),
        *omni.connection_environments(),
        *([] if attribute is None else [attribute]),
        *lightdash.sources(PROJECT_ID),
    ]
