"""What ``manage.py`` gains: the worker, and looking at payments from a terminal."""
