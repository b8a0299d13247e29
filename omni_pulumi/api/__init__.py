"""HTTP clients of the two services. They know requests and responses, and nothing of Pulumi."""
