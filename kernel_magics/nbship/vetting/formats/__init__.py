"""A verdict as text, JUnit XML and SARIF."""
