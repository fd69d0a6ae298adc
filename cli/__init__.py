"""The command line: the bootstrap behind `./farm`, its commands, and the stack that `up` and `demo` run."""
