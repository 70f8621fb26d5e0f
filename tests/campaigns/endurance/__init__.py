"""A shop that sells for days of virtual time, through errors, an outage and a deploy."""
