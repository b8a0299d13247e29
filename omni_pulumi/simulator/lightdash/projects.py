"""The projects of the organization: https://docs.lightdash.com/api-reference/organizations/list-organization-projects.

The documentation says "all projects of the current user's organization". The simulator leaves out those that the caller
may not view, which the documentation does not say.
"""

from __future__ import annotations

from omni_pulumi.simulator.lightdash.request import LightdashResponse, Request, Role


def list_projects(request: Request) -> LightdashResponse:
    """GET: lists the projects that the caller may view."""
    instance = request.instance
    results = [
        {
            "projectUuid": project_id,
            "name": name,
            "type": "PREVIEW" if project_id in instance.preview_projects else "DEFAULT",
            "createdByUserUuid": None,
            "createdByUserName": None,
            "createdAt": "2026-01-01T00:00:00.000Z",
            "upstreamProjectUuid": None,
            "warehouseType": "postgres",
        }
        for project_id, name in instance.project_names.items()
        if request.role is not Role.MEMBER
    ]
    return LightdashResponse({"status": "ok", "results": results})
