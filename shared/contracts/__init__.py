"""Everything that crosses a service border: messages, subjects, streams, ids. See `docs/asyncapi.yaml`."""
