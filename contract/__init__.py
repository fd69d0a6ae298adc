"""What the services of CamFarm say to each other: ids, keys, messages. No I/O happens here."""
