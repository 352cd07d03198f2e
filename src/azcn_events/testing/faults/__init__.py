"""Let processes, disks and power fail, and look whether a store keeps its promises.

Each kit shows what the others cannot; a store that is to be trusted passes all:

============================  =============================================  ==========
kit                           what it shows                                  for stores
============================  =============================================  ==========
``kills.kill_writers``        killed at any moment: nothing acknowledged is  any
                              lost, nothing torn
``power_cuts.cut_power``      the same for every state of the disk that a    on apsw
                              power cut can leave
``io_faults.fail_io``         one operation of the disk fails: the error is  on apsw
                              told, nothing is half there, the store goes on
``system_calls``              one system call fails or is the last           any, Linux
``statements``                the program dies before or after any           any DB-API
                              statement: for read models, too
``syncs``                     how often the disk is waited for               any, Linux
============================  =============================================  ==========

A test of a store of one's own::

    def test_my_store_survives_power_cuts():
        assert not cut_power(open_my_store).problems

where ``open_my_store`` is an ``OpenStore``. The long campaigns are run by ``python -m
azcn_events.testing.faults``.

Source of the whole idea: SQLite's own tests, https://sqlite.org/testing.html, section
3: out of memory, I/O errors, crashes and power loss, one at a time at each place.
"""
