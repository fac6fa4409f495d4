"""The parts of Bursar's adapter for Odoo."""
