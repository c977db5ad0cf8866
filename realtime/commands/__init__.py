"""The commands of the command line, one file each; `common` has the code that several of them use."""
