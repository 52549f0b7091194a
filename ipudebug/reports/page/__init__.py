"""The parts of the HTML report: each turns rows into one piece of the page."""
