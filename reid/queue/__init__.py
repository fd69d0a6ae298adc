"""What events ask of recognisers: from notes in SQL onto RQ's queues, in batches, and back. All use of RQ is here."""
