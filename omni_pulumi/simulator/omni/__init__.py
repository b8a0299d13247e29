"""The local Omni: one module per page of https://docs.omni.co/api, on one stored organization."""
