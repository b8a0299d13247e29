"""Lightdash's API: the client with one method for each endpoint, and the models of its responses."""
