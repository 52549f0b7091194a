"""The programs that ipudebug is measured against."""
