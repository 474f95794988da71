"""The API server: how we speak to it, what we watch, who of us acts. Decides nothing about workflows and runs."""
