"""The whole story of an event or a request, from the rows of a run file. Begin at `stories.Teller`."""
