"""The web page of the service: HTML made on the server from answers, without a build step."""
