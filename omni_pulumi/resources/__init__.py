"""The resources, one file each: vendor page, Args, State, the operations, Provider, Resource, in this order."""
