"""One conversation: a session receives events, lets the rules decide, and acts."""
