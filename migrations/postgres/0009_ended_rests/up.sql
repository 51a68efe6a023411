-- Rests that are over go by their age.
CREATE INDEX resting_lanes_until ON resting_lanes (until);
