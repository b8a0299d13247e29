"""Users: https://docs.omni.co/docs/API/user-management. The endpoints follow SCIM 2.0.

They need an Organization API key: https://docs.omni.co/api/authentication. The documentation does not say how they
refuse a personal access token; the simulator uses 403. The members of the simulated organization have no names, so no
filter matches one of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

from omni_pulumi.simulator.omni.request import ApiError

if TYPE_CHECKING:
    from omni_pulumi.simulator.omni.request import Request

_PARAMETERS = {"filter", "count", "startIndex"}


def list_users(request: Request) -> JSONResponse:
    """GET: lists the users that match a filter."""
    if request.caller.role != "organization":
        raise ApiError(403, "This endpoint requires an organization API key")
    if unknown := request.query.keys() - _PARAMETERS:
        raise ApiError(400, f"Unknown parameter: {min(unknown)}")
    users = [] if "filter" in request.query else sorted(request.organization.users)
    resources = [{"id": user, "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"]} for user in users]
    return JSONResponse(
        {
            "Resources": resources,
            "itemsPerPage": len(resources),
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            "startIndex": 1,
            "totalResults": len(resources),
        }
    )
