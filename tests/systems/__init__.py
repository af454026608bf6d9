"""Systems as Kivuko meets them in the field, small enough to start inside a test.

Every one answers on loopback and remembers what it was asked:

    loopback         an HTTP server around one function Request -> Reply, with a request log, latency and forced failures
    fhir             a FHIR R4 server that validates, stores, searches and runs transactions
    openmrs          OpenMRS: REST web services with paging, and its FHIR module
    collections_api  OpenFn's collections over HTTP (adaptors.md §6)
    web              a plain web API: JSON, forms, XML, CSV, redirects, errors, sign-in
    mariadb          a real MariaDB server, started as a private process with its own data folder
"""
