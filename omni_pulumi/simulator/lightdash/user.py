"""The owner of a token, with the rules from which Lightdash decides what the owner may do.

The rules are those of CASL, the library with which Lightdash checks permissions. An admin is one of the organization,
the others have their role in both projects, whose rules Lightdash merges into one with `$in`. Of the many rules, those
about projects are here, with one about something else.
"""

from __future__ import annotations

from typing import Any

from omni_pulumi.simulator.lightdash.call import Answer, Call, Role

_ORGANIZATION_ID = "45f2492f-b1a6-44cb-b7e9-edd2e9b29ec2"
_USER_IDS = {
    Role.ADMIN: "6756cd3a-0d98-4a8e-b54a-df82543873f1",
    Role.DEVELOPER: "6756cd3a-0d98-4a8e-b54a-df82543873f2",
    Role.VIEWER: "6756cd3a-0d98-4a8e-b54a-df82543873f3",
    Role.MEMBER: "6756cd3a-0d98-4a8e-b54a-df82543873f4",
}


def get_user(call: Call) -> Answer:
    """GET of the caller."""
    user = {
        "userUuid": _USER_IDS[call.role],
        "email": f"{call.role.value}@example.com",
        "organizationUuid": _ORGANIZATION_ID,
        "role": "admin" if call.role is Role.ADMIN else "member",
        "isActive": True,
        "abilityRules": _rules(call),
    }
    return Answer({"status": "ok", "results": user})


def _rules(call: Call) -> list[dict[str, Any]]:
    organization = {"organizationUuid": _ORGANIZATION_ID}
    projects = {"projectUuid": {"$in": sorted(call.instance.primary_connections)}}
    own_previews = {"createdByUserUuid": _USER_IDS[call.role], "type": "PREVIEW"}
    rules = [_rule("view", "OrganizationMemberProfile", organization)]
    if call.role is Role.ADMIN:
        rules += [_rule("view", "Project", organization), _rule("manage", "Project", organization)]
    if call.role in {Role.DEVELOPER, Role.VIEWER}:
        rules.append(_rule("view", "Project", projects))
    if call.role is Role.DEVELOPER:
        rules += [
            _rule("update", "Project", projects),
            _rule("delete", "Project", own_previews),
            _rule("manage", "DeployProject", projects),
        ]
    return rules


def _rule(action: str, subject: str, conditions: dict[str, Any]) -> dict[str, Any]:
    return {"action": action, "subject": subject, "conditions": conditions}
