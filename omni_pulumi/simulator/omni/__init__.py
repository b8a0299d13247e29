"""The Omni simulator: one module for each resource of https://docs.omni.co/api."""
