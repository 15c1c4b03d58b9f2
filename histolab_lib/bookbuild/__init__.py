"""From chapter sources to the rendered book: pairs, execution, gates, staging, the site."""
