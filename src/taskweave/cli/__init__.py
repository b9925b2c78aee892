"""The command line: a thin face on the library. torch is imported inside the commands, so that help is instant."""
