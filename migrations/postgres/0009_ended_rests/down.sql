DROP INDEX resting_lanes_until;
