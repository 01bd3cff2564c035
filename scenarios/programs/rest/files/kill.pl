kill("TERM", $$);
