"""All embeddings that there are: searched, told apart into identities, and kept on disk so that starting is quick."""
