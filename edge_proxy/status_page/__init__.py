"""The status page at `/`: one HTML file without build step or foreign resources, and the JSON it shows."""
