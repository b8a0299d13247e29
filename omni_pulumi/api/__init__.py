"""HTTP clients of the two services. They know requests and answers, and nothing of Pulumi."""
