"""Who was seen where: recognisers on a queue, embeddings, gallery and identities."""
