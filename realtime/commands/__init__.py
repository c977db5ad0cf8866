"""One small file per command of the command line; what several of them share is in `common`."""
