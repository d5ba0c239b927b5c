"""What people see; fed by results/ only, so that saved runs can be shown again."""
