"""What the REST API takes and gives, one file per resource. Secrets go in and never come out."""
