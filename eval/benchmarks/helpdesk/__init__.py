"""helpdesk: customer service in retail, airline and telecom."""
