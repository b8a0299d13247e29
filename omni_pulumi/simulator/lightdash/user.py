"""The owner of a token and its permissions: `GET /api/v1/user`.

Permissions are rules of CASL, Lightdash's permission library. An admin is an admin of the organization. Other users
have their role in both projects, which Lightdash combines into one rule with `$in`. The simulator returns the rules
about projects and one other rule.
"""

from __future__ import annotations

from typing import Any

from omni_pulumi.simulator.lightdash.request import LightdashResponse, Request, Role

_ORGANIZATION_ID = "45f2492f-b1a6-44cb-b7e9-edd2e9b29ec2"
_USER_IDS = {
    Role.ADMIN: "6756cd3a-0d98-4a8e-b54a-df82543873f1",
    Role.DEVELOPER: "6756cd3a-0d98-4a8e-b54a-df82543873f2",
    Role.VIEWER: "6756cd3a-0d98-4a8e-b54a-df82543873f3",
    Role.MEMBER: "6756cd3a-0d98-4a8e-b54a-df82543873f4",
}


def get_user(request: Request) -> LightdashResponse:
    """GET: returns the caller."""
    user = {
        "userUuid": _USER_IDS[request.role],
        "email": f"{request.role.value}@example.com",
        "organizationUuid": _ORGANIZATION_ID,
        "role": "admin" if request.role is Role.ADMIN else "member",
        "isActive": True,
        "abilityRules": _rules(request),
    }
    return LightdashResponse({"status": "ok", "results": user})


def _rules(request: Request) -> list[dict[str, Any]]:
    organization = {"organizationUuid": _ORGANIZATION_ID}
    projects = {"projectUuid": {"$in": sorted(request.instance.primary_connections)}}
    own_previews = {"createdByUserUuid": _USER_IDS[request.role], "type": "PREVIEW"}
    rules = [_rule("view", "OrganizationMemberProfile", organization)]
    if request.role is Role.ADMIN:
        rules += [_rule("view", "Project", organization), _rule("manage", "Project", organization)]
    if request.role in {Role.DEVELOPER, Role.VIEWER}:
        rules.append(_rule("view", "Project", projects))
    if request.role is Role.DEVELOPER:
        rules += [
            _rule("update", "Project", projects),
            _rule("delete", "Project", own_previews),
            _rule("manage", "DeployProject", projects),
        ]
    return rules


def _rule(action: str, subject: str, conditions: dict[str, Any]) -> dict[str, Any]:
    return {"action": action, "subject": subject, "conditions": conditions}
