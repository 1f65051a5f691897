"""People who sign in with Hugging Face: the OpenID client, and the sessions in memory."""
